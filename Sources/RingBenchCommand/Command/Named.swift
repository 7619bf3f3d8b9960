import ArgumentParser
import RingCore

/// A value of the library's vocabulary as an argument, by its name.
///
/// A type of our own, because a conformance of the library's types to the argument parser's protocol could meet
/// another one in a program that links both.
struct Named<Value: NamedInText>: ExpressibleByArgument {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }

    init?(argument: String) {
        guard let value = Value(name: argument) else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { value.name }

    static var allValueStrings: [String] { Value.allCases.map(\.name) }
}

/// A type whose values have names on command lines.
protocol NamedInText: CaseIterable, Sendable {
    var name: String { get }
    init?(name: String)
}

extension Collective: NamedInText {}
extension DataType: NamedInText {}
extension ReductionOperator: NamedInText {}

extension Compression: NamedInText {
    /// Those that a command line can name.
    static var allCases: [Compression] {
        let narrowing: [Compression] = [.float16, .bfloat16, .int8(), .int4()]
        return [.none, .lz4] + narrowing + narrowing.map { $0.followedByLZ4() }
    }
}
