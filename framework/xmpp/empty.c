/* SPDX-License-Identifier: MIT */
typedef int xmpp_empty_t;
