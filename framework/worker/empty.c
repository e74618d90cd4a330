/* SPDX-License-Identifier: MIT */
typedef int worker_empty_t;
