/// How much a set of plans sends, and how long its longest chain of transfers is.
package struct Traffic: Sendable, Hashable {
    /// How many elements each rank sends.
    package var elementsSent: [Int]
    /// How many messages each rank sends.
    package var messagesSent: [Int]
    /// The number of transfers on the longest chain in which each waits for the one before it: the *steps* in
    /// a row of the literature. Local copies do not count.
    package var criticalPath: Int

    /// Creates a summary.
    package init(elementsSent: [Int], messagesSent: [Int], criticalPath: Int) {
        self.elementsSent = elementsSent
        self.messagesSent = messagesSent
        self.criticalPath = criticalPath
    }
}
