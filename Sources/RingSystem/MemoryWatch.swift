/// Notices when memory goes: when it is unmapped, moved elsewhere, or emptied.
///
/// Contract for implementers:
/// - Calls may come from any thread.
/// - What has gone before ``look()`` is called is known when that returns, unless it says ``MemoryNews/changing``.
package protocol MemoryWatch: AnyObject, Sendable {
    /// How many ranges can be watched at once.
    var capacity: Int { get }

    /// Watches whole pages, which may overlap others that are watched; their number. Nil if they cannot be watched, as
    /// those of files.
    func add(_ pages: UnsafeRawBufferPointer) -> Int?

    /// Watches the range no longer.
    func remove(_ number: Int)

    /// Takes note of what has gone.
    func look() -> MemoryNews

    /// Whether any of the range had gone by the last ``look()``, or goes now.
    func isGone(_ number: Int) -> Bool

    /// Watches nothing any more, and lets whoever waits to be noticed go on.
    func stop()
}

/// What a ``MemoryWatch`` knows of all its ranges.
package enum MemoryNews: Sendable {
    /// All is there that was there before.
    case unchanged
    /// Something has gone of at least one range.
    case gone
    /// Something goes just now, and of what has not been said.
    case changing
}
