/// How a codec broke its contract.
package struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was expected, and what happened instead.
    package var description: String

    /// Creates a failure.
    package init(_ description: String) {
        self.description = description
    }
}

/// Throws a failure unless the condition holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(ConformanceFailure) {
    guard condition else { throw ConformanceFailure(message()) }
}
