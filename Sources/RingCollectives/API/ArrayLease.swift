/// An array whose storage the engine may use while nobody else has it.
///
/// It owns the only reference to the storage, and lives on the heap, so the storage stays where it is from
/// ``withPointer(_:)`` until the lease ends or ``elements`` are taken back.
final class ArrayLease<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    // Used by the task that awaits the operation only; the engine has the pointer, and only until the operation ends.
    private(set) var elements: [Element]

    init(_ elements: [Element]) {
        self.elements = elements
    }

    /// Makes sure that no other array shares the storage.
    func makeUnique() {
        elements.withUnsafeMutableBufferPointer { _ in }
    }

    /// Lends the address of the storage, which stays valid beyond `body` as said above.
    func withPointer<Result>(_ body: (UnsafeMutableBufferPointer<Element>) throws -> Result) rethrows
        -> Result
    {
        try elements.withUnsafeMutableBufferPointer { try body($0) }
    }
}
