import { quoted, text, type DatabaseBinding, type DatabaseCopy, type ServerView } from "@hostwright/core/plugin";
import { FLAVOURS } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

/**
 * Runs its arguments, and leaves out of their output who defined views, triggers and routines: an account may define them
 * for itself only, and has another host on another server. Contents never begin a line so: their line breaks are escaped.
 */
const WITHOUT_DEFINERS = String.raw`open(my $dump, "-|", @ARGV) or exit 1;
while (defined(my $line = <$dump>)) {
  $line =~ s/\bDEFINER=\x60(?:[^\x60]|\x60\x60)*\x60@\x60(?:[^\x60]|\x60\x60)*\x60 ?// if $line =~ m{^(?:CREATE|/\*!5)};
  print $line or exit 2;
}
close $dump or exit 1;`;

/** The option file is read once, from a pipe; nothing of the machine's own files is. */
export function copy(binding: DatabaseBinding, server: ServerView): DatabaseCopy {
  const { host, port, socket, name, user, password } = binding;
  const { client, dump, clientPackage, own, dumping, loading } =
    FLAVOURS[(server.service.options as MysqlOptions).flavour];
  const where =
    socket === null ? `protocol=tcp\nhost=${host}\nport=${port ?? 3306}` : `protocol=socket\nsocket=${socket}`;
  const options = "--defaults-file=/dev/fd/3";
  const whole = ["--single-transaction", "--quick", "--routines", "--triggers", "--hex-blob", "--no-tablespaces"];
  // Contents are statements and nothing else: no command of the client's own, none repeated in its errors, none sent anew
  // by a connection that was lost.
  const plain = ["--batch", "--binary-mode", "--skip-reconnect"];
  return {
    dump: ["perl", "-e", WITHOUT_DEFINERS, "--", dump, options, ...whole, ...dumping, name],
    load: [client, options, ...plain, ...loading, name],
    login: text`[client]\nuser=${user}\npassword=${quoted(password, "json")}\n${where}\ndefault-character-set=utf8mb4\n`,
    trailer: "-- Dump completed",
    program: own,
    package: clientPackage,
  };
}
