/* SPDX-License-Identifier: MIT */
typedef int xml_empty_t;
