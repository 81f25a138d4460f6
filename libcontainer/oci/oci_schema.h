/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_schema.h - tables that only other tables of oci/ need.
 */
#ifndef KIST_OCI_SCHEMA_H
#define KIST_OCI_SCHEMA_H

#include "oci/oci.h"

/* linux.uidMappings, mounts[].uidMappings */
extern const struct json_field oci_id_mapping_fields[];
extern const struct json_field oci_linux_fields[];
extern const struct json_field oci_hooks_fields[];

extern const struct json_choice oci_scheduler_policies[];
extern const struct json_choice oci_scheduler_flags[];
extern const struct json_choice oci_io_priority_classes[];
extern const struct json_choice oci_device_types[];
extern const struct json_choice oci_device_cgroup_types[];
extern const struct json_choice oci_personality_domains[];

#endif
