/// What algorithms that send chunk after chunk have in common.
package enum Pipeline {
    /// How many chunks so many elements are cut into where the request does not say: chunks of 64 Ki elements,
    /// below which the cost of a message begins to show, and at most 256 of them, above which the pipeline's
    /// filling no longer does.
    package static func chunkCount(for elementCount: Int) -> Int {
        max(1, min(256, elementCount / 65_536))
    }
}
