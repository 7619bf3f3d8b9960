import RingBootstrap
import RingCore
import RingSystem

/// Starts the ranks of a job on this host, and ends with them.
///
/// Every rank gets torchrun's variables, for a job of this host alone (`MASTER_ADDR` is 127.0.0.1), and a job
/// secret that nobody else has. As soon as one rank fails the others get SIGTERM and, after the grace period,
/// SIGKILL. Signals to the launcher (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2) go to the ranks and
/// their children; after one that asks to end, the grace period begins, and the second SIGINT or SIGTERM
/// kills.
///
/// Nothing outlives the launcher: ranks and their children share a process group, and a guardian process
/// kills that group when the launcher has gone, however it went. Only a process that leaves its group
/// escapes.
///
/// Rank 0 reads the launcher's standard input unless that is a terminal; the other ranks read nothing.
package enum LocalLauncher {
    /// What becomes of the ranks' output.
    package enum OutputStyle: Sendable, Hashable {
        /// Each line of every rank gets the rank before it: `[2] text`. Lines are kept whole.
        case prefixed
        /// Rank 0 writes to the launcher's own standard output and error; the others' lines are prefixed.
        case firstRankPlain
    }

    /// The most ranks that are started on one host.
    package static let mostRanks = 1024

    /// Runs the job to its end. Blocks its thread; a process can run one job at a time.
    ///
    /// - Parameters:
    ///   - ranks: How many, 1 to ``mostRanks``.
    ///   - executable: A path, or a name that is looked up in `PATH`.
    ///   - environment: Variables to set beside this process's own and those of the job.
    ///   - program: Who speaks, in messages on standard error: `ringrun`.
    /// - Returns: 0 if all ranks ended with 0; else the exit status of the first that failed, which is
    ///   128 + the signal if a signal killed it.
    /// - Throws: `invalidArgument` when the number of ranks is out of range, `system` when the command
    ///   cannot be started; the error's cause is a ``CommandNotStarted``.
    package static func run(
        ranks: Int, executable: String, arguments: [String], environment: [String: String] = [:],
        outputStyle: OutputStyle = .prefixed, gracePeriod: Duration = .seconds(5), program: String = "ringrun"
    ) throws -> Int32 {
        guard (1...mostRanks).contains(ranks) else {
            throw CollectiveError(
                .invalidArgument, "the number of ranks is \(ranks); it must be 1 to \(mostRanks)")
        }
        let path = try ExecutableSearch.path(of: executable)
        do {
            let port = try ReservedPort()
            let job = try LocalJob(gracePeriod: gracePeriod, outputStyle: outputStyle, program: program)
            let inherited = ChildEnvironment(inheriting: environment)
            let secret = JobAuthenticator.makeSecret()
            for rank in 0..<ranks {
                let variables = inherited.adding([
                    "RANK": "\(rank)", "WORLD_SIZE": "\(ranks)", "LOCAL_RANK": "\(rank)",
                    "LOCAL_WORLD_SIZE": "\(ranks)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port.port)",
                    "RING_JOB_SECRET": secret,
                ])
                try job.start(path, arguments: [executable] + arguments, environment: variables)
            }
            return withExtendedLifetime(port) { job.runToEnd() }
        } catch let error as SystemError {
            throw CollectiveError(
                .system, "\(executable) cannot be started: \(error.reason)",
                cause: CommandNotStarted(exists: true))
        }
    }
}

/// Why no rank runs: the command does not exist, or it does and cannot be run.
package struct CommandNotStarted: Error, Hashable, Sendable {
    /// Whether there is such a file.
    package var exists: Bool

    /// The exit status that shells give: 127 for a command that was not found, 126 for one that cannot run.
    package var exitStatus: Int32 { exists ? 126 : 127 }
}
