import ArgumentParser
import RingCommandLine
import RingSystem

/// What a command line asks for.
enum CommandLineStep {
    /// Measure as one rank of the launcher's job.
    case measure(BenchmarkSettings)
    /// Measure for a tuning document, as one rank of the launcher's job.
    case tune(TuningSettings)
    /// Put tuning documents together.
    case merge(files: [String], output: String)
    /// Start so many ranks of this program, each with these arguments.
    case launch(ranks: Int, arguments: [String])
    /// Print text, such as the help, and end well.
    case print(String)
    /// End with one line that says what is wrong with the command line.
    case refuse(String)
}

extension CommandLineStep {
    /// Reads a command line without the program's name.
    init(arguments: [String]) {
        do {
            let command = try RingBench.parse(arguments: arguments)
            func launch(_ ranks: Int) -> CommandLineStep {
                .launch(ranks: ranks, arguments: LocalRanks.removingRanks(from: arguments))
            }
            switch command {
            case let explain as ExplainCommand:
                self = .print(try explain.report(environment: ProcessEnvironment.variables))
            case let plan as PlanCommand: self = .print(try plan.report())
            case let simulate as SimulateCommand: self = .print(try simulate.report())
            case let tune as TuneCommand where !tune.merge.isEmpty:
                self = .merge(files: tune.merge, output: tune.output)
            case let tune as TuneCommand: self = try tune.ranks.map(launch) ?? .tune(tune.settings())
            case let measure as MeasureCommand:
                self = try measure.ranks.map(launch) ?? .measure(measure.settings())
            default: throw CleanExit.helpRequest(MeasureCommand.self)
            }
        } catch {
            self =
                RingBench.exitCode(for: error) == .success
                ? .print(RingBench.fullMessage(for: error))
                : .refuse(Self.oneLine(RingBench.message(for: error)))
        }
    }

    /// A message without its line breaks.
    private static func oneLine(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).map { line in
            String(line.drop(while: \.isWhitespace))
        }.joined(separator: " ")
    }
}
