/// The statuses that the command ends with.
enum ExitStatus {
    static let success: Int32 = 0
    /// A rank failed, or a result was wrong.
    static let failure: Int32 = 1
    /// The command line cannot be right (`EX_USAGE`).
    static let usage: Int32 = 64
}
