import CRingKernels
package import RingCore

/// The loop that combines two buffers element by element, for one data type, operator and instruction set.
///
/// The loop is looked up when the kernel is made, so that a call is one indirect jump. Make the kernel once per
/// operation. ``ReductionOperator`` defines the results, which do not depend on the level nor, for commutative inputs,
/// on the order of the operands: `kernel(d, a, b)` and `kernel(d, b, a)` write the same bits.
///
/// From the second-level cache or memory, most take no longer than moving the bytes; `Docs/Performance.md` has the
/// figures.
package struct ReductionKernel: Sendable {
    private let function: ring_reduce_function
    private let elementSize: Int
    private let divisor: UInt64

    /// The kernel for a data type and an operator.
    ///
    /// ``ReductionOperator/average`` without a divisor is a plain sum, as in all steps of a collective but the last.
    /// With a divisor, the number of ranks, each sum is divided by it before it is rounded to the data type: 16-bit
    /// floats compute in float32, others in their own type, and integers round the quotient of the wrapped sum towards
    /// zero.
    ///
    /// - Parameters:
    ///   - divisor: At least 1, and given only for ``ReductionOperator/average``.
    ///   - level: One of ``KernelLevel/available``.
    package init(
        _ dataType: DataType, _ reductionOperator: ReductionOperator, divisor: Int? = nil,
        level: KernelLevel = .selected
    ) {
        precondition(KernelLevel.available.contains(level), "this processor does not offer \(level.name)")
        precondition((divisor ?? 1) >= 1, "a divisor must be at least 1, not \(divisor ?? 1)")
        guard
            let function = ring_reduce_kernel(
                dataType.rawValue, reductionOperator.rawValue, divisor != nil, level.rawValue)
        else {
            preconditionFailure("\(reductionOperator.name) does not take a divisor; only average does")
        }
        self.function = function
        elementSize = dataType.byteCount
        self.divisor = UInt64(divisor ?? 1)
    }

    /// Sets each `destination[i]` to `own[i]` combined with `received[i]`.
    ///
    /// A destination apart from the sources and of ``Streaming/threshold`` or more is written around the caches.
    ///
    /// - Parameters:
    ///   - destination: May be the same as either source; otherwise it must not overlap them. None of the three needs
    ///     to be aligned.
    ///   - count: The number of elements, zero or more.
    package func callAsFunction(
        _ destination: UnsafeMutableRawPointer, _ own: UnsafeRawPointer, _ received: UnsafeRawPointer,
        count: Int
    ) {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        let isApart = UnsafeRawPointer(destination) != own && UnsafeRawPointer(destination) != received
        if isApart, Streaming.pays(byteCount: count * elementSize) {
            stream(destination, own, received, count: count)
        } else {
            function(destination, own, received, count, divisor)
        }
    }

    /// Does the same, always writing around the caches.
    ///
    /// - Parameter destination: Must not overlap a source.
    package func stream(
        _ destination: UnsafeMutableRawPointer, _ own: UnsafeRawPointer, _ received: UnsafeRawPointer,
        count: Int
    ) {
        ring_reduce_streaming(function, elementSize, destination, own, received, count, divisor)
    }
}
