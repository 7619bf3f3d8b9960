package import ArgumentParser

/// The `ringbench` command: measures collectives, in the manner of nccl-tests.
///
/// `ringbench all-reduce -n 4` is short for `ringbench measure all-reduce -n 4`: measuring is the default
/// subcommand, so that further ones can join without changing a command line that scripts rely on.
package struct RingBench: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ringbench",
        abstract: "Measure collectives between ranks, and check their results.",
        version: version,
        subcommands: [
            MeasureCommand.self, ExplainCommand.self, PlanCommand.self, SimulateCommand.self,
            TuneCommand.self,
        ],
        defaultSubcommand: MeasureCommand.self
    )

    /// The version that `--version` and every report name.
    package static let version = "0.1.0"

    package init() {}

    /// Reads a command line without the program's name. Throws what is wrong with it, or the help it asks for.
    ///
    /// `ringbench --help` is the help of measuring, which is what people look for; the default subcommand's
    /// options would not be in the root command's own help.
    static func parse(arguments: [String]) throws -> any ParsableCommand {
        let asksForHelp = arguments.first.map { ["-h", "--help", "help"].contains($0) } ?? false
        var command = try parseAsRoot(asksForHelp ? ["measure", "--help"] : arguments)
        switch command {
        case is MeasureCommand, is ExplainCommand, is PlanCommand, is SimulateCommand, is TuneCommand:
            return command
        default:
            // The argument parser's own commands throw what they have to say.
            try command.run()
            throw CleanExit.helpRequest(MeasureCommand.self)
        }
    }
}
