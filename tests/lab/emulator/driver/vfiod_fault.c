// SPDX-License-Identifier: MIT
/*
 * A PCI driver that misbehaves on request, for the lab only.
 *
 * As a driver (bound through driver_override) its probe or remove blocks or fails:
 *   hold_probe, hold_remove   1: block, unkillably, until written 0
 *   fail_probe                how many probes fail before one works
 *
 * As a spoiler of somebody else's driver it makes a card look dead, the way cards with the reset
 * bug are: while `dead` is 1, no probe by the driver named `victim` succeeds. What brings the
 * card back to life is told by `cure`: retry (after `tries` failed probes), reset, bus (a reset
 * of the card's bus, once a probe has failed: the one at a guest's end comes too early), rescan
 * (the device is removed and found again), reload (the module `victim_module` is loaded anew),
 * suspend (the host slept), or none.
 *
 * As a killer: the process `doomed_pid` gets SIGKILL as any of its threads enters its
 * `doomed_at`-th rename since that pid was written.
 */
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/suspend.h>
#include <linux/wait.h>

static int hold_probe, hold_remove, fail_probe, dead, tries;
static int doomed_pid, doomed_at;
static atomic_t renames;
static struct pci_bus *refused_on;	/* where the victim's last probe failed */
static char victim[32], victim_module[32], cure[16];
static DECLARE_WAIT_QUEUE_HEAD(released);

static int set_and_wake(const char *value, const struct kernel_param *param)
{
	int status = param_set_int(value, param);

	wake_up_all(&released);
	return status;
}

static const struct kernel_param_ops waking = { .set = set_and_wake, .get = param_get_int };

static int set_and_count(const char *value, const struct kernel_param *param)
{
	atomic_set(&renames, 0);
	return param_set_int(value, param);
}

static const struct kernel_param_ops counting = { .set = set_and_count, .get = param_get_int };

static int set_dead(const char *value, const struct kernel_param *param)
{
	refused_on = NULL;
	return param_set_int(value, param);
}

static const struct kernel_param_ops deadly = { .set = set_dead, .get = param_get_int };

module_param_cb(doomed_pid, &counting, &doomed_pid, 0644);
module_param(doomed_at, int, 0644);
module_param_cb(hold_probe, &waking, &hold_probe, 0644);
module_param_cb(hold_remove, &waking, &hold_remove, 0644);
module_param(fail_probe, int, 0644);
module_param_cb(dead, &deadly, &dead, 0644);
module_param(tries, int, 0644);
module_param_string(victim, victim, sizeof(victim), 0644);
module_param_string(victim_module, victim_module, sizeof(victim_module), 0644);
module_param_string(cure, cure, sizeof(cure), 0644);

static bool named(const char *parameter, const char *text)
{
	/* echo(1) leaves its newline in the parameter */
	return sysfs_streq(parameter, text);
}

static void cured_by(const char *what)
{
	if (dead && named(cure, what)) {
		dead = 0;
		refused_on = NULL;
		pr_info("vfiod_fault: alive again after %s\n", what);
	}
}

static int fault_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	wait_event(released, !hold_probe);
	if (fail_probe > 0) {
		fail_probe--;
		return -EIO;
	}
	return 0;
}

static void fault_remove(struct pci_dev *device)
{
	wait_event(released, !hold_remove);
}

static struct pci_driver fault_driver = {
	.name = "vfiod_fault",
	.probe = fault_probe,
	.remove = fault_remove,
};

/* What pci_device_probe() is replaced by: it returns at once, with what is in rax. */
asm(".pushsection .text\n"
    ".type vfiod_fault_return, @function\n"
    "vfiod_fault_return:\n"
    ASM_RET
    ".size vfiod_fault_return, . - vfiod_fault_return\n"
    ".popsection\n");
extern asmlinkage void vfiod_fault_return(void);

/* pci_device_probe(struct device *): returns early with an error instead of being run. */
static int before_probe(struct kprobe *probe, struct pt_regs *regs)
{
	struct device *device = (struct device *)regs->di;

	if (!dead || !device->driver || !named(victim, device->driver->name))
		return 0;
	if (named(cure, "retry") && tries-- <= 0) {
		cured_by("retry");
		return 0;
	}
	refused_on = to_pci_dev(device)->bus;
	regs->ax = (unsigned long)-EIO;
	regs->ip = (unsigned long)vfiod_fault_return;
	return 1;
}

static int before_reset(struct kprobe *probe, struct pt_regs *regs)
{
	cured_by("reset");
	return 0;
}

/* pcibios_reset_secondary_bus(struct pci_dev *bridge): whoever in the kernel wants it done. */
static int before_bus_reset(struct kprobe *probe, struct pt_regs *regs)
{
	struct pci_dev *bridge = (struct pci_dev *)regs->di;

	if (refused_on && bridge->subordinate == refused_on)
		cured_by("bus");
	return 0;
}

static int before_rename(struct kprobe *probe, struct pt_regs *regs)
{
	if (task_tgid_nr(current) == doomed_pid && atomic_inc_return(&renames) == doomed_at)
		send_sig(SIGKILL, current, 1);
	return 0;
}

static struct kprobe on_probe = { .symbol_name = "pci_device_probe", .pre_handler = before_probe };
static struct kprobe on_reset = { .symbol_name = "pci_reset_function", .pre_handler = before_reset };
static struct kprobe on_bus_reset = {
	.symbol_name = "pcibios_reset_secondary_bus", .pre_handler = before_bus_reset
};
static struct kprobe on_rename = { .symbol_name = "vfs_rename", .pre_handler = before_rename };
static struct kprobe *probes[] = { &on_probe, &on_reset, &on_bus_reset, &on_rename };

static int on_bus(struct notifier_block *block, unsigned long action, void *device)
{
	if (action == BUS_NOTIFY_ADD_DEVICE)
		cured_by("rescan");
	return NOTIFY_DONE;
}

static int on_module(struct notifier_block *block, unsigned long action, void *data)
{
	if (action == MODULE_STATE_COMING && named(victim_module, ((struct module *)data)->name))
		cured_by("reload");
	return NOTIFY_DONE;
}

static int on_sleep(struct notifier_block *block, unsigned long action, void *data)
{
	if (action == PM_POST_SUSPEND)
		cured_by("suspend");
	return NOTIFY_DONE;
}

static struct notifier_block bus_block = { .notifier_call = on_bus };
static struct notifier_block module_block = { .notifier_call = on_module };
static struct notifier_block sleep_block = { .notifier_call = on_sleep };

static int __init fault_init(void)
{
	int status = register_kprobes(probes, ARRAY_SIZE(probes));

	if (status)
		return status;
	bus_register_notifier(&pci_bus_type, &bus_block);
	register_module_notifier(&module_block);
	register_pm_notifier(&sleep_block);
	return pci_register_driver(&fault_driver);
}

static void __exit fault_exit(void)
{
	pci_unregister_driver(&fault_driver);
	unregister_pm_notifier(&sleep_block);
	unregister_module_notifier(&module_block);
	bus_unregister_notifier(&pci_bus_type, &bus_block);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

module_init(fault_init);
module_exit(fault_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Misbehaves on request, to test vfiod");
