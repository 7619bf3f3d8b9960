import CRingKernels
package import RingCore

/// The loop that converts a buffer between float32 and a 16-bit float type, for one instruction set.
///
/// Narrowing rounds to nearest, ties to even, and overflows to infinity; widening is exact. Any NaN becomes the
/// canonical quiet NaN of the type converted to.
package struct CastKernel: Sendable {
    private let function: ring_cast_function
    private let sourceSize: Int
    private let destinationSize: Int

    /// The kernel for a pair of types, one of them float32 and the other float16 or bfloat16; nil for any other pair.
    ///
    /// - Parameter level: One of ``KernelLevel/available``.
    package init?(from source: DataType, to destination: DataType, level: KernelLevel = .selected) {
        precondition(KernelLevel.available.contains(level), "this processor does not offer \(level.name)")
        guard let function = ring_cast_kernel(source.rawValue, destination.rawValue, level.rawValue) else {
            return nil
        }
        self.function = function
        sourceSize = source.byteCount
        destinationSize = destination.byteCount
    }

    /// Sets each `destination[i]` to the value of `source[i]`.
    ///
    /// A destination of ``Streaming/threshold`` or more is written around the caches.
    ///
    /// - Parameters:
    ///   - destination: Must not overlap the source. Neither needs to be aligned.
    ///   - count: The number of elements, zero or more.
    package func callAsFunction(
        _ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, count: Int
    ) {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        if Streaming.pays(byteCount: count * destinationSize) {
            stream(destination, source, count: count)
        } else {
            function(destination, source, count)
        }
    }

    /// Does the same, always writing around the caches.
    package func stream(_ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, count: Int) {
        ring_cast_streaming(function, sourceSize, destinationSize, destination, source, count)
    }
}
