import CRingKernels

/// The loops that take elements apart into byte planes and put them together again, for one size of elements.
///
/// The first plane has the first byte of every element, and so on. The bytes of a plane are alike where those of an
/// element are not, which is what a compressor can use.
package struct PlanesKernel: Sendable {
    private let splitFunction: ring_planes_function
    private let joinFunction: ring_planes_function

    /// The kernel for elements of 2, 4 or 8 bytes; nil for other sizes.
    ///
    /// - Parameter level: One of ``KernelLevel/available``.
    package init?(elementSize: Int, level: KernelLevel = .selected) {
        precondition(KernelLevel.available.contains(level), "this processor does not offer \(level.name)")
        guard elementSize > 0, let split = ring_split_kernel(elementSize, level.rawValue),
            let join = ring_join_kernel(elementSize, level.rawValue)
        else { return nil }
        splitFunction = split
        joinFunction = join
    }

    /// Takes `count` elements apart. The buffers must not overlap.
    package func split(_ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, count: Int) {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        splitFunction(destination, source, count)
    }

    /// Puts `count` elements together.
    package func join(_ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, count: Int) {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        joinFunction(destination, source, count)
    }
}
