import CRingKernels

/// An encoding of float32 in fewer bytes. The raw value is the low part of its code on the wire.
package enum Encoding: UInt8, Sendable, Hashable, CaseIterable {
    /// IEEE 754 binary16, rounded to nearest, ties to even.
    case float16 = 1
    /// The upper half of a float32, rounded to nearest, ties to even.
    case bfloat16 = 2
    /// Blocks with a float32 scale and a byte an element.
    case int8 = 3
    /// Blocks with a bfloat16 scale and half a byte an element.
    case int4 = 4
}

/// The loops that encode float32 and decode it, for one encoding, length of blocks and instruction set.
///
/// Every level writes the same bytes and the same numbers. A call costs about as much as moving the float32 bytes
/// twice; `Docs/Performance.md` has the figures.
package struct EncodingKernel: Sendable {
    /// Where the noise of stochastic rounding comes from: element i takes the number at `first` + i of the sequence of
    /// a key.
    package struct Noise: Sendable, Hashable {
        package var key: UInt64
        package var first: UInt64

        package init(key: UInt64, first: UInt64) {
            self.key = key
            self.first = first
        }
    }

    /// What is encoded.
    package let encoding: Encoding
    /// The elements of a block; 1 for casts.
    package let blockSize: Int
    private let encodeFunction: ring_encode_function
    private let decodeFunction: ring_decode_function

    /// The longest block.
    package static let longestBlock = 4096

    /// The kernel for an encoding.
    ///
    /// - Parameters:
    ///   - blockSize: 1 for the casts, else a multiple of 8 up to ``longestBlock``. 256 for int8 and 64 for int4 have
    ///     loops of their own; others take several times as long.
    ///   - level: One of ``KernelLevel/available``.
    package init(_ encoding: Encoding, blockSize: Int, level: KernelLevel = .selected) {
        precondition(KernelLevel.available.contains(level), "this processor does not offer \(level.name)")
        switch encoding {
        case .float16, .bfloat16: precondition(blockSize == 1, "a cast has no blocks")
        case .int8, .int4:
            precondition(
                blockSize > 0 && blockSize <= Self.longestBlock && blockSize.isMultiple(of: 8),
                "a block must have a multiple of 8 elements up to \(Self.longestBlock), not \(blockSize)")
        }
        self.encoding = encoding
        self.blockSize = blockSize
        encodeFunction = ring_encode_kernel(encoding.rawValue, level.rawValue)!
        decodeFunction = ring_decode_kernel(encoding.rawValue, level.rawValue)!
    }

    /// The bytes that so many elements take.
    package func byteCount(_ count: Int) -> Int {
        switch encoding {
        case .float16, .bfloat16: return 2 * count
        case .int8, .int4:
            let whole = count / blockSize
            let rest = count % blockSize
            return whole * blockBytes(blockSize) + (rest > 0 ? blockBytes(rest) : 0)
        }
    }

    private func blockBytes(_ count: Int) -> Int {
        encoding == .int8 ? 4 + (count + 3) / 4 * 4 : 2 + (count + 7) / 8 * 4
    }

    /// Encodes the float32 of `own`, plus those encoded in `received`, plus `error`, which becomes what the encoding has
    /// taken away, or 0 where that is not a finite number.
    ///
    /// - Parameters:
    ///   - destination: Must not overlap anything else. No pointer needs to be aligned.
    ///   - received: As many bytes as are written.
    ///   - noise: Nil: rounds to nearest, ties to even. Casts know nothing else.
    /// - Returns: The elements before the first block of `received` whose scale no encoder writes; `count` if there is
    ///   no such block.
    package func encode(
        _ destination: UnsafeMutableRawPointer, _ own: UnsafeRawPointer,
        adding received: UnsafeRawPointer? = nil,
        error: UnsafeMutableRawPointer? = nil, count: Int, noise: Noise? = nil
    ) -> Int {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        guard let noise else {
            return encodeFunction(destination, own, received, error, count, blockSize, nil)
        }
        var raw = ring_noise(
            key: (UInt32(truncatingIfNeeded: noise.key), UInt32(truncatingIfNeeded: noise.key >> 32)),
            first: noise.first)
        return encodeFunction(destination, own, received, error, count, blockSize, &raw)
    }

    /// Decodes to float32, and adds `own` where it is given.
    ///
    /// - Parameter destination: May be the same as `own`; must not overlap the source.
    /// - Returns: As for encoding.
    package func decode(
        _ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer,
        adding own: UnsafeRawPointer? = nil,
        count: Int
    ) -> Int {
        precondition(count >= 0, "a count must not be negative, but is \(count)")
        return decodeFunction(destination, own, source, count, blockSize)
    }
}
