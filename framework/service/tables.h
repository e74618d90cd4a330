/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tables.h - the framework's own tables in a component's store
 */
#ifndef SERVICE_TABLES_H
#define SERVICE_TABLES_H

#include <annex/store.h>

enum {
	TABLE_ALARM,
	TABLE_ALARM_DUE,
	TABLE_JOB,
	TABLE_CONTACT,
	TABLE_VIEW,
	TABLE_SELF,
	TABLE_ROUTED,
	TABLE_AVATAR,
	TABLE_AVATAR_USE,
};

extern const struct annex_table service_tables[];

#define alarm_table service_tables[TABLE_ALARM]
#define alarm_due_table service_tables[TABLE_ALARM_DUE]
#define job_table service_tables[TABLE_JOB]
#define contact_table service_tables[TABLE_CONTACT]
#define view_table service_tables[TABLE_VIEW]
#define self_table service_tables[TABLE_SELF]
#define routed_table service_tables[TABLE_ROUTED]
#define avatar_table service_tables[TABLE_AVATAR]
#define avatar_use_table service_tables[TABLE_AVATAR_USE]

#endif /* SERVICE_TABLES_H */
