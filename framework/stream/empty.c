/* SPDX-License-Identifier: MIT */
typedef int stream_empty_t;
