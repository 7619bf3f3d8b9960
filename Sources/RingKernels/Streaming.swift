/// Writing results around the caches, which saves reading the lines that they replace.
package enum Streaming {
    /// From how many bytes on a destination is streamed: more than what is left of it in a cache when it has been
    /// written to its end would be worth.
    package static let threshold = 32 << 20

    static func pays(byteCount: Int) -> Bool {
        byteCount >= threshold
    }
}
