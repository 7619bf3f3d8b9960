package import RingCore
package import RingKernels

/// The codecs of float32 that make each element shorter: casts to 16 bits, and blocks of int8 or int4 with a scale.
///
/// A segment takes a number of bytes that depends only on its elements' number. `Docs/WireProtocol.md` has the layouts.
package struct NarrowingCodec: AddingCodec {
    package let code: UInt8
    package let name: String
    package let rounding: Compression.Rounding
    private let kernel: EncodingKernel

    /// The codec of a method other than `none` and `lz4`, without the second stage.
    ///
    /// - Parameter level: One of ``KernelLevel/available``.
    package init?(_ compression: Compression, level: KernelLevel = .selected) {
        guard let encoding = Encoding(rawValue: compression.method.rawValue) else { return nil }
        code = compression.code
        name = compression.name
        rounding = compression.rounding
        kernel = EncodingKernel(encoding, blockSize: compression.blockSize, level: level)
    }

    package var dataType: DataType { .float32 }
    package var blockSize: Int { kernel.blockSize }

    package func largestByteCount(_ count: Int) -> Int { kernel.byteCount(count) }
    package func exactByteCount(_ count: Int) -> Int? { kernel.byteCount(count) }

    package func encode(
        _ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutableRawPointer,
        at position: EncodingPosition
    ) -> Int {
        _ = kernel.encode(destination, source, count: count, noise: noise(at: position))
        return kernel.byteCount(count)
    }

    package func encode(
        _ own: UnsafeRawPointer, adding received: UnsafeRawBufferPointer?, error: UnsafeMutableRawPointer?,
        count: Int, into destination: UnsafeMutableRawPointer, at position: EncodingPosition
    ) throws(MalformedSegment) -> Int {
        if let received { try check(received, count) }
        let done = kernel.encode(
            destination, own, adding: count == 0 ? nil : received?.baseAddress, error: error, count: count,
            noise: noise(at: position))
        try checkDone(done, of: count)
        return kernel.byteCount(count)
    }

    package func decode(
        _ source: UnsafeRawBufferPointer, count: Int, into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment) {
        try check(source, count)
        guard let start = source.baseAddress else { return }
        try checkDone(kernel.decode(destination, start, count: count), of: count)
    }

    package func decode(
        _ source: UnsafeRawBufferPointer, count: Int, adding own: UnsafeRawPointer,
        into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment) {
        try check(source, count)
        guard let start = source.baseAddress else { return }
        try checkDone(kernel.decode(destination, start, adding: own, count: count), of: count)
    }

    package func errorBound(largest: Float) -> Double {
        let largest = Double(largest.magnitude)
        // Half of the step, or a whole one where noise decides; and what float32 arithmetic adds to that, which grows
        // by the rounding of a scale. What follows the sum sign is half of the smallest step there is.
        let steps: Double
        switch rounding {
        case .nearest: steps = 1
        case .stochastic: steps = 2
        }
        switch kernel.encoding {
        case .float16: return largest > 65_504 ? .infinity : max(largest * 0x1p-11, 0x1p-25)
        case .bfloat16: return largest > 0x1.FEp127 ? .infinity : max(largest * 0x1p-8, 0x1p-134)
        case .int8: return steps * (largest / 253 + 0x1p-149)
        case .int4: return steps * (largest / 13.8 + 0x1p-134)
        }
    }

    private func noise(at position: EncodingPosition) -> EncodingKernel.Noise? {
        guard case .stochastic(let seed) = rounding else { return nil }
        return EncodingKernel.Noise(
            key: position.key(seed: seed), first: UInt64(truncatingIfNeeded: position.firstElement))
    }

    private func check(_ source: UnsafeRawBufferPointer, _ count: Int) throws(MalformedSegment) {
        let expected = kernel.byteCount(count)
        guard source.count == expected else {
            throw MalformedSegment(
                "a segment of \(source.count) bytes where \(count) elements in \(name) take \(expected)")
        }
    }

    private func checkDone(_ done: Int, of count: Int) throws(MalformedSegment) {
        guard done == count else {
            throw MalformedSegment("a segment in \(name) whose block at element \(done) has an absurd scale")
        }
    }
}
