/// How a reducing collective combines the ranks' elements.
///
/// The raw value is the operator's code on the wire.
///
/// For all types: integers wrap modulo two to the power of their width. Floating-point `min` and `max` order
/// -0 below +0. Any NaN operand makes the result the canonical quiet NaN, so that the outcome does not depend on
/// the order in which ranks are combined; 16-bit floats are combined in float32 and rounded to nearest even.
public enum ReductionOperator: UInt8, Sendable, Hashable, CaseIterable {
    case sum = 1
    case product = 2
    case min = 3
    case max = 4
    /// The sum divided by the number of ranks.
    ///
    /// For integers the sum wraps like ``sum``, and the quotient is rounded towards zero.
    case average = 5
}

extension ReductionOperator {
    /// The operator's name in text, as command lines take it: `sum`, `average`.
    public var name: String { "\(self)" }

    /// The operator with a name as command lines take it, or nil.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}
