/* SPDX-License-Identifier: MIT */
typedef int config_empty_t;
