/* SPDX-License-Identifier: MIT */
typedef int service_empty_t;
