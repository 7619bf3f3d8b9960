import ArgumentParser
import RingCore
import RingLaunch
import RingSystem

/// `ringrun`: starts the ranks of a job on this host.
struct RingRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ringrun",
        abstract: "Start the ranks of a job on this machine.",
        usage: "ringrun -n N [OPTIONS] [--] COMMAND [ARGS ...]",
        discussion: """
            Each rank gets RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and a \
            fresh RING_JOB_SECRET, and each line that it writes gets its rank: [2] text. Rank 0 reads \
            standard input unless that is a terminal.

            As soon as one rank fails, the others get SIGTERM and, after the grace period, SIGKILL. Signals \
            are passed on to the ranks; a second SIGINT or SIGTERM kills them.

            The exit status is 0 if all ranks ended with 0, else that of the first rank to fail (128 + the \
            signal if a signal killed it); 127 if the command was not found, 126 if it cannot be run, 64 on \
            bad usage.
            """)

    @Option(name: [.customShort("n"), .long], help: "The number of ranks, 1 to \(LocalLauncher.mostRanks).")
    var ranks: Int

    @Option(help: "The seconds from SIGTERM to SIGKILL.")
    var gracePeriod: Double = 5

    @Flag(help: "Leave rank 0's output as it is: its progress bars work, and the others' lines are prefixed.")
    var firstRankPlain = false

    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String]

    mutating func validate() throws {
        if command.first == "--" { command.removeFirst() }
        guard let name = command.first else {
            throw ValidationError("The command to run is missing.")
        }
        if name.hasPrefix("-") {
            throw ValidationError(
                "Unknown option '\(name)'. A command that begins with a dash needs its path.")
        }
        guard (1...LocalLauncher.mostRanks).contains(ranks) else {
            throw ValidationError(
                "The number of ranks is \(ranks); it must be 1 to \(LocalLauncher.mostRanks).")
        }
        guard (0...86_400).contains(gracePeriod) else {
            throw ValidationError("The grace period is \(gracePeriod) s; it must be 0 to 86400.")
        }
    }

    func run() throws {
        do {
            let status = try LocalLauncher.run(
                ranks: ranks, executable: command[0], arguments: Array(command.dropFirst()),
                outputStyle: firstRankPlain ? .firstRankPlain : .prefixed, gracePeriod: .seconds(gracePeriod))
            throw ExitCode(status)
        } catch let error as CollectiveError {
            StandardStream.error.writeLine("ringrun: \(error.message)")
            throw ExitCode((error.cause as? CommandNotStarted)?.exitStatus ?? 1)
        }
    }
}

RingRun.main()
