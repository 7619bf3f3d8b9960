import ArgumentParser
import RingCommandLine
import RingCore
import RingLaunch

/// `ringbench connect`: measures what it costs to connect ranks.
struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Measure how long ranks take to connect, and how much memory a communicator holds.",
        discussion: """
            Links are made when an algorithm first needs them: after a ring all-reduce a rank has two, after an \
            all-to-all one to every other rank. Memory is what the process has to itself, without the kernel's buffers \
            of its connections.

            EXAMPLE:
              ringbench connect -n 64
            """
    )

    @Option(
        name: [.customShort("n"), .long],
        help: "Start this many ranks on this machine. Without it, be one rank of the launcher's job.")
    var ranks: Int?

    @Option(name: [.customShort("t"), .long], help: "How bytes travel between the ranks.")
    var transport: TransportChoice = .auto

    @Option(help: "How the results are written: table or json.")
    var format: ReportFormat = .table

    func validate() throws {
        if let ranks, !(1...LocalLauncher.mostRanks).contains(ranks) {
            throw ValidationError(
                "--ranks \(ranks) is not a number of ranks: give one from 1 to \(LocalLauncher.mostRanks)")
        }
        guard format != .csv else {
            throw ValidationError("--format csv is not for connect: use table or json")
        }
    }
}
