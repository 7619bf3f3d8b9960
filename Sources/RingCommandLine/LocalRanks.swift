import RingLaunch
import RingSystem

/// What `--ranks N` of a command does: starts N ranks of the same program on this machine, and ends with them.
package enum LocalRanks {
    /// Runs the job to its end, blocking the calling thread, and returns its exit status.
    ///
    /// Each rank gets this program's arguments but for the number of ranks; rank 0 writes where this process does.
    /// `program` is who speaks in messages. Throws as ``RingLaunch/LocalLauncher`` does.
    package static func run(
        _ ranks: Int, arguments: [String], environment: [String: String] = [:], program: String
    ) throws -> Int32 {
        try LocalLauncher.run(
            ranks: ranks, executable: Host.executable, arguments: removingRanks(from: arguments),
            environment: environment, outputStyle: .firstRankPlain, program: program)
    }

    /// `arguments` without the option `-n`, `--ranks` and its value, in each form that the command line takes.
    package static func removingRanks(from arguments: [String]) -> [String] {
        var kept: [String] = []
        var remaining = arguments[...]
        while let argument = remaining.popFirst() {
            switch argument {
            case "-n", "--ranks": _ = remaining.popFirst()
            case _ where argument.hasPrefix("--ranks="): break
            // The value joined to the letter, `-n=4`.
            case _ where argument.hasPrefix("-n="): break
            default: kept.append(argument)
            }
        }
        return kept
    }
}
