/* SPDX-License-Identifier: MIT */
typedef int store_empty_t;
