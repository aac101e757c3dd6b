/* SPDX-License-Identifier: GPL-2.0 */
/* The display of QEMU's "VGA" card (1234:1111) as a DRM device of whichever driver asks. */
#ifndef DISPI_H
#define DISPI_H

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <linux/pci.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#include <drm/drm_fbdev_shmem.h>
#define DISPI_FBDEV_OPS DRM_FBDEV_SHMEM_DRIVER_OPS,
#else
#define DISPI_FBDEV_OPS
#endif

/* Until 6.13 a driver had a date, and the kernel warns of one without. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define DISPI_DATE
#else
#define DISPI_DATE .date = "20260101",
#endif

/* What each driver of it has in its struct drm_driver. */
#define DISPI_DRIVER_OPS DISPI_DATE DISPI_FBDEV_OPS DRM_GEM_SHMEM_DRIVER_OPS

#define DISPI_VENDOR 0x1234
#define DISPI_DEVICE 0x1111

/* The device with its fbdev console, or an ERR_PTR. */
struct drm_device *dispi_attach(const struct drm_driver *driver, struct pci_dev *pci);

/* Unplugs it; what is left of it goes with the last file that has it open. */
void dispi_detach(struct drm_device *device);

#endif
