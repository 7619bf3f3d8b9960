import ArgumentParser
import Foundation
import RingCollectives

extension RingTrain {
    /// Runs the command with the process's arguments and ends the process.
    ///
    /// Whatever goes wrong becomes one line on standard error. The exit status is 0 on success, 64 for options
    /// or an environment that cannot be right, 1 for everything else.
    public static func runAsProgram() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
            Foundation.exit(EXIT_SUCCESS)
        } catch {
            let outcome = Outcome(of: error)
            if let line = outcome.output { print(line) }
            if let line = outcome.complaint { Console().line(line) }
            Foundation.exit(outcome.status)
        }
    }

    /// What to print and how to exit after an error, or what the argument parser throws as one.
    struct Outcome: Equatable {
        var status: Int32
        /// For standard output.
        var output: String?
        /// For standard error.
        var complaint: String?

        init(of error: any Error) {
            if let code = error as? ExitCode {
                // Whoever it was that failed has said why.
                self.init(status: code.rawValue)
                return
            }
            let code = RingTrain.exitCode(for: error)
            if code.isSuccess {
                // The help, or the version.
                self.init(status: code.rawValue, output: RingTrain.fullMessage(for: error))
            } else if code == .validationFailure {
                let reason = RingTrain.message(for: error).split(separator: "\n").joined(separator: " ")
                self.init(
                    status: code.rawValue,
                    complaint: "ringtrain: \(reason) (ringtrain --help lists the options)")
            } else if let failure = error as? RankFailure {
                self.init(status: 1, complaint: failure.complaint.map { "ringtrain: \($0)" })
            } else if let error = error as? CollectiveError, error.code == .invalidConfiguration {
                self.init(
                    status: ExitCode.validationFailure.rawValue, complaint: "ringtrain: \(error.message)")
            } else {
                self.init(status: 1, complaint: "ringtrain: \(error)")
            }
        }

        private init(status: Int32, output: String? = nil, complaint: String? = nil) {
            self.status = status
            self.output = output
            self.complaint = complaint
        }
    }
}
