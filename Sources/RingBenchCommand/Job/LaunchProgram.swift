import RingCommandLine
import RingSystem

/// What `--ranks N` does: starts N ranks of this same program on this machine and waits for them.
struct LaunchProgram {
    let ranks: Int
    /// The arguments of each rank.
    let arguments: [String]

    /// Runs the job to its end, blocking the calling thread, and returns its exit status.
    func run() -> Int32 {
        do {
            return try LocalRanks.run(ranks, arguments: arguments, program: "ringbench")
        } catch {
            StandardStream.error.writeLine("ringbench: \(RankProgram.message(error))")
            return ExitStatus.failure
        }
    }
}
