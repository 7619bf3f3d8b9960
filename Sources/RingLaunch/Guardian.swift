import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The process that leads the ranks' process group, and kills the group when the launcher has gone.
///
/// It is a shell that reads from a pipe which only the launcher can write to, and never does: when the
/// launcher ends, even by SIGKILL, the read ends, and the group gets SIGTERM and after the grace period
/// SIGKILL. As it leads the group and lives as long as the launcher, the group's number cannot come to mean
/// another group. (The system's own signal on a parent's death reaches children only, not theirs.)
final class Guardian {
    /// The process group.
    let group: pid_t

    private let pipe: Int32
    private var isOver = false

    init(gracePeriod: Duration) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try SystemCall.check("socketpair") { socketpair(AF_UNIX, kind, 0, &ends) }
        defer { close(ends[1]) }
        do {
            // The signals that the group gets are meant for the ranks: the shell ignores them, and as long as
            // it has not come to that they are blocked. (Blocking alone would not do: shells unblock when
            // they fork.)
            group = try ChildProcess.start(
                "/bin/sh",
                arguments: [
                    "sh", "-c",
                    "trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM TSTP; "
                        + "read -r _; kill -TERM 0; sleep \"$1\"; kill -KILL 0",
                    "ring-guardian",
                    "\(max(0, gracePeriod.inSeconds))",
                ],
                environment: ChildEnvironment(inheriting: [:]), group: 0,
                streams: [.descriptor(ends[1]), .null, .null],
                blocked: SignalRelay.forwarded + [SIGPIPE, SIGALRM, SIGTSTP])
        } catch {
            close(ends[0])
            throw error
        }
        pipe = ends[0]
    }

    /// Sends the whole group a signal.
    func signal(_ signal: Int32) {
        if !isOver { kill(-group, signal) }
    }

    /// Ends the group and the guardian at once.
    func end() {
        guard !isOver else { return }
        kill(-group, SIGKILL)
        isOver = true
        ChildProcess.reap(group)
        close(pipe)
    }

    deinit {
        end()
    }
}
