import ArgumentParser
package import RingCore

extension ByteSize: ExpressibleByArgument {
    /// Reads a size; nil if the text is none.
    package init?(argument: String) {
        self.init(argument)
    }

    /// The shortest form that the command line takes.
    package var defaultValueDescription: String { description }
}
