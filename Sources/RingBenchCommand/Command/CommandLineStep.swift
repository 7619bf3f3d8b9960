import ArgumentParser
import RingCommandLine

/// What a command line asks for.
enum CommandLineStep {
    /// Measure as one rank of the launcher's job.
    case measure(BenchmarkSettings)
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
            let measure = try RingBench.parse(arguments: arguments)
            if let ranks = measure.ranks {
                self = .launch(ranks: ranks, arguments: LocalRanks.removingRanks(from: arguments))
            } else {
                self = .measure(try measure.settings())
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
