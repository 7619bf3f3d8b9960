import CRingKernels
package import RingCore
import Synchronization

/// An instruction set that the kernels are compiled for.
///
/// Every level computes the same results bit for bit, so ranks with different processors agree. Which levels the
/// running processor offers is found once; the highest is taken unless ``limit(to:)`` says otherwise.
package enum KernelLevel: UInt8, Sendable, Hashable, CaseIterable {
    /// What every processor of the architecture has: SSE2 on x86-64, Advanced SIMD on arm64.
    case baseline = 0
    /// x86-64-v3: AVX2 and F16C.
    case avx2 = 1
    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
    case avx512 = 2
}

extension KernelLevel {
    /// The levels that this processor and operating system can run, lowest first. The first is always ``baseline``.
    package static let available: [KernelLevel] = allCases.filter { ring_kernel_level_available($0.rawValue) }

    /// The level that kernels use unless they are given another: the highest available one within the limit.
    package static var selected: KernelLevel {
        let limit = Self.limit.withLock { $0 } ?? .avx512
        return available.last { $0 <= limit } ?? .baseline
    }

    /// Keeps the whole process from using a higher level than `level` from now on; for debugging and measurements.
    ///
    /// The limit may be above what the processor offers, and then changes nothing, so that one setting suits a cluster
    /// of different machines. It can be set once: repeating it is harmless, and another one throws
    /// ``CollectiveError/Code/invalidConfiguration``. Kernels that exist keep their level.
    package static func limit(to level: KernelLevel) throws(CollectiveError) {
        let effective = limit.withLock { limit in
            if limit == nil { limit = level }
            return limit
        }
        if let effective, effective != level {
            throw CollectiveError(
                .invalidConfiguration,
                "the kernels of this process are already limited to \(effective.name) and cannot be limited to "
                    + "\(level.name) as well; set one limit for the whole process")
        }
    }

    private static let limit = Mutex<KernelLevel?>(nil)

    /// The level's name in text, as settings take it: `baseline`, `avx2`, `avx512`.
    package var name: String {
        switch self {
        case .baseline: "baseline"
        case .avx2: "avx2"
        case .avx512: "avx512"
        }
    }

    /// The level with a name as settings take it, or nil.
    package init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}

extension KernelLevel: Comparable {
    /// Whether the left level is contained in the right one and is not the same.
    package static func < (left: KernelLevel, right: KernelLevel) -> Bool {
        left.rawValue < right.rawValue
    }
}
