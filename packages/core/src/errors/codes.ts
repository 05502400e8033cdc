/**
 * Every error code that Hostwright can raise, with what it means and what to do next.
 * A code is stable: it may be matched by callers and is never given a new meaning.
 */
export const ERROR_CODES = {
  HW_INPUT_INVALID: "A value given by the caller does not fit its schema. Correct the named field and try again.",
  HW_DOMAIN_INVALID: "A domain is not a valid host name. Give one such as www.example.com.",
  HW_DOMAIN_RESERVED: "A domain belongs to a reserved name (localhost, .invalid, ...). Choose a public name.",
  HW_DOMAIN_TAKEN:
    "Another site holds this domain as its main name or alias. Choose another, or remove it there first.",
  HW_RECORD_TAKEN:
    "Another record of that kind has this name. Choose another name, or change the record that is there.",
  HW_NAME_TAKEN:
    "The web server already serves this name from configuration of somebody else. Remove it from the named file first.",
  HW_NOT_FOUND: "No such record, or it is not visible to this actor. Check the name or id.",
  HW_FORBIDDEN: "The policy does not allow this actor to do it. Ask somebody who may.",
  HW_ROLE_SUBMIT:
    "An instance of role `submit` has no key and reaches no server. Submit a request, or do it where the workers run.",
  HW_RECORD_MANAGED: "The record is managed by code or a file (managedBy). Change it there.",
  HW_RECORD_IN_USE: "The record is still used, by what its message names. Remove that first.",
  HW_SERVICE_UNKNOWN: "No loaded plugin implements this service type. Add the plugin, or correct the type.",
  HW_SERVICE_MISSING: "A server lacks a service that the site needs. Add the service to the server's record.",
  HW_PLATFORM_UNKNOWN: "No loaded plugin implements this platform type. Add the plugin, or correct the type.",
  HW_PLATFORM_INVALID: "The codebase is not what the platform type expects. Check the source folder.",
  HW_SERVICE_UNFIT: "The platform or the site cannot use this service. Choose one of the listed types.",
  HW_PLUGIN_INVALID: "A plugin cannot be loaded. Correct what the message says of it, or leave it out.",
  HW_PLUGIN_MISSING: "A stored record or task needs a plugin that is not loaded. Load it.",
  HW_OPTIONS_INCOMPATIBLE:
    "Stored options do not fit the loaded plugin: a newer version wrote them, or they cannot be migrated. Its message names record and versions.",
  HW_SERVER_CLAIMED:
    "Another installation of Hostwright has this server. Work with its state folder, or take the server over with `takeOver`.",
  HW_PREREQUISITE_MISSING:
    "A server lacks packages, or runs something that endangers its sites. Run the task `prepare`, or follow the message.",
  HW_SSH_HOST_KEY:
    "The server's host key is not one of the recorded keys. If the server was rebuilt, record its new key.",
  HW_SSH_AUTH: "The server refused the credentials. Check user and key.",
  HW_SSH_UNREACHABLE: "The server cannot be reached. Check address, port, network and that sshd runs.",
  HW_SSH_LOST:
    "The connection was lost and what it carried is unknown. Hostwright reads the server again before it goes on.",
  HW_SOCKET_UNREACHABLE: "Nothing answers at a socket on the server. Start the service that listens there.",
  HW_COMMAND_FAILED: "A command on a server failed. Its output says why.",
  HW_COMMAND_TIMEOUT:
    "A command did not end in its time and was stopped. Look at its output; raise the limit if it was at work.",
  HW_INTERRUPTED:
    "The worker of a task died in the middle of something that cannot just be done again. It was taken back: submit it again.",
  HW_CANCELLED: "The work was cancelled by its caller. Submit it again when it is wanted.",
  HW_DISK_FULL:
    "A file system has no room left: a server's, or that of the state folder, as the message says. Free space and try again.",
  HW_PERMISSION_DENIED:
    "Access was refused: by a server, whose login user must be root or may use sudo without a password, or to the state folder.",
  HW_TRANSFER_FAILED:
    "Bytes did not all get from one end of a transfer to the other, so that none of them count. Its message says which end failed, its output why.",
  HW_TRANSFER_STALLED:
    "One end of a transfer moved no byte for too long, and both were stopped. Its message says which: find out what it waited for, or give it more time.",
  HW_DATABASE_UNREACHABLE: "The database server does not answer. Start it, or check its socket and credentials.",
  HW_DATABASE_FAILED: "The database server refused a statement. Its message says why.",
  HW_RESOURCE_CONFLICT: "Two owners declare the same thing on a server. Rename one of them.",
  HW_RESOURCE_CHANGED:
    "Something changed since the plan was made, on the server or in the records. It was left as it is: plan again.",
  HW_RESOURCE_FOREIGN: "Something that Hostwright did not make stands in the way. Move it away, then plan again.",
  HW_PLAN_EXPIRED: "The plan's time is over. Plan again.",
  HW_PLAN_FORGED: "The plan does not carry a valid signature. It was not run: plan again.",
  HW_HTTP_FOREIGN_CONFIG:
    "The configuration of a service that publishes is broken in a file that is not Hostwright's. Remedy that file first.",
  HW_HTTP_CONFIG_REFUSED:
    "A web server, or another service that publishes, refused what Hostwright rendered. What was in force stays. Its message says why.",
  HW_HTTP_RELOAD_FAILED:
    "A web server, or another service that publishes, did not take its new configuration. The old one was put back. Look at its log.",
  HW_INSTALLER_FAILED: "The application's installer failed. Its output says why.",
  HW_PROBE_FAILED: "The site's page did not answer as expected. Its message says how: look at the site's page and log.",
  HW_UNDO_INCOMPLETE: "Something could not be undone. The residue lists exactly what; repair it and resolve the task.",
  HW_KEY_REUSED: "This idempotency key was used for another request. Use a new key.",
  HW_TASK_STATE: "The task is not in a state that allows this. Look at its state with `hw.tasks.list()` first.",
  HW_TASK_TIMEOUT:
    "The task did not end in the time it was given, and was taken back. Give it more time, or find what it waited for.",
  HW_BATCH_STOPPED:
    "A batch began no further task, since `stopAfter` of them or more had failed. What its tasks did stays. Look at `data.report`, which says what became of each, and ask again for those that are wanted.",
  HW_LEASE_LOST: "Another worker took over this task, and this one stopped. Follow the task by its id.",
  HW_QUOTE_REFUSED: "A value cannot be quoted safely in the target's syntax. Choose another value.",
  HW_SECRET_UNREADABLE: "A stored secret cannot be decrypted. Give the key that it was stored with.",
  HW_NOTIFICATION_FAILED:
    "A notification could not be delivered. Its message says what the receiver answered: correct it there, or its address.",
  HW_STORE_INCOMPATIBLE: "The state store was written by a newer version. Update Hostwright.",
  HW_STORE_DAMAGED:
    "A file of the state is damaged, or is no state store. Keep it aside, remove `store.db-wal` and `store.db-shm` with it, put the whole state folder back from one backup, then call `raiseEpoch` once.",
  HW_STORE_RESTORED:
    "A server saw a later state of the store than this one: it was restored from a backup, or another took its place. End every other process of the installation, then call `raiseEpoch` once.",
  HW_STORE_INCOMPLETE:
    "A part of the state folder is missing, or is of another installation. Put all parts back from one backup; a new installation begins in an empty folder.",
  HW_KEY_WRONG:
    "The key is not the one of this installation, or not with those before it. Give the key that the state was made with.",
  HW_STORE_BUSY:
    "Another process held the state store for too long. Try again; if it lasts, end the process that hangs.",
  HW_STORE_FAILED:
    "The machine that Hostwright runs on could not read or write a file of the state folder. Look at its own log: disk, memory, open files.",
  HW_STORE_EXPOSED:
    "A file of the state folder can be read or changed by other users. Correct its owner and mode first.",
  HW_HOST_UNSUPPORTED: "This machine cannot do what was asked. The message says what is missing.",
  HW_CLOSED:
    "The Hostwright instance was closed. What it was doing goes on in the store as the message says; open a new one with `createHostwright`.",
  HW_INTERNAL: "A defect in Hostwright or a plugin. Please report it with the task's log.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
