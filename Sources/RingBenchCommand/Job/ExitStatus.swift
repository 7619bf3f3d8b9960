import RingCore

/// The statuses that the command ends with.
enum ExitStatus {
    static let success: Int32 = 0
    /// A rank failed, or a result was wrong.
    static let failure: Int32 = 1
    /// The command line or the environment cannot be right (`EX_USAGE`).
    static let usage: Int32 = 64

    /// The status for what a rank failed of.
    static func forError(_ error: any Error) -> Int32 {
        let faultsOfTheCaller: [CollectiveError.Code] = [
            .invalidArgument, .invalidConfiguration, .unsupported,
        ]
        return (error as? CollectiveError).map { faultsOfTheCaller.contains($0.code) } == true
            ? usage : failure
    }
}
