import ArgumentParser
import RingSystem

/// The whole of `ringbench`, given its arguments.
package enum BenchmarkProgram {
    /// Does what the arguments (without the program's name) ask for, on the calling thread, and returns the exit
    /// status: 0, or 64 for bad usage, or another for a failure.
    package static func run(arguments: [String]) -> Int32 {
        switch CommandLineStep(arguments: arguments) {
        case .measure(let settings):
            return RankProgram(settings: settings).run()
        case .connect(let transport, let format):
            return ConnectProgram(transport: transport, format: format).run()
        case .tune(let settings):
            return TuneProgram(settings: settings).run()
        case .merge(let files, let output):
            return MergeProgram(files: files, output: output).run()
        case .launch(let ranks, let arguments):
            return LaunchProgram(ranks: ranks, arguments: arguments).run()
        case .print(let text):
            StandardStream.output.writeLine(text)
            return ExitStatus.success
        case .refuse(let line):
            StandardStream.error.writeLine("ringbench: \(line)")
            return ExitStatus.usage
        }
    }
}
