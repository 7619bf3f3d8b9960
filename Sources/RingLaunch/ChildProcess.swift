import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Starts processes with `posix_spawn`, which also works in a program of many threads.
enum ChildProcess {
    /// Where a child's standard descriptor leads.
    enum Stream {
        case inherited
        /// This descriptor of ours, which stays ours.
        case descriptor(Int32)
        case null
    }

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - group: The process group to join; 0 makes a new one that the child leads.
    ///   - streams: Standard input, output and error.
    ///   - blocked: The signals that it starts with blocked.
    ///   - keepingIgnored: The signals that stay ignored if they are; all others begin with their default.
    static func start(
        _ path: String, arguments: [String], environment: ChildEnvironment, group: pid_t,
        streams: [Stream], blocked: [Int32] = [], keepingIgnored: Set<Int32> = []
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        try SystemCall.checkNumber("posix_spawn", posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in zip(Int32(0)..., streams) {
            switch stream {
            case .inherited: continue
            case .descriptor(let descriptor):
                posix_spawn_file_actions_adddup2(&actions, descriptor, number)
            case .null:
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        try SystemCall.checkNumber("posix_spawn", posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, group)
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in blocked { sigaddset(&mask, signal) }
        posix_spawnattr_setsigmask(&attributes, &mask)
        var defaults = sigset_t()
        sigfillset(&defaults)
        for signal in keepingIgnored { sigdelset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)

        var process: pid_t = 0
        let status = withCStrings(arguments.map { Array($0.utf8) }) { arguments in
            environment.withPointers { environment in
                posix_spawn(&process, path, &actions, &attributes, arguments, environment)
            }
        }
        try SystemCall.checkNumber("posix_spawn", status)
        return process
    }

    /// Waits for the end of a child that has been told to end.
    static func reap(_ pid: pid_t) {
        var status: Int32 = 0
        _ = try? SystemCall.check("waitpid") { waitpid(pid, &status, 0) }
    }
}

/// How a process ended.
enum ProcessEnd: Equatable {
    case status(Int32)
    case signal(Int32)

    /// Reads the number that `waitpid` gives for a process that has ended.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .status(waitStatus >> 8 & 0xff) : .signal(signal)
    }

    var isFailure: Bool { self != .status(0) }

    /// The exit status that stands for it, as in a shell.
    var exitStatus: Int32 {
        switch self {
        case .status(let status): status
        case .signal(let signal): 128 + signal
        }
    }
}

extension ProcessEnd: CustomStringConvertible {
    var description: String {
        switch self {
        case .status(let status): "ended with status \(status)"
        case .signal(let signal): "was killed by \(SignalName.text(signal))"
        }
    }
}

/// The names of signals.
enum SignalName {
    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]

    static func text(_ signal: Int32) -> String { names[signal] ?? "signal \(signal)" }
}
