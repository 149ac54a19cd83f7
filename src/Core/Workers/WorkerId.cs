using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace OllamaMax.Workers;

/// <summary>Ids of workers that were let in: 16 lower-case hex digits, all of them chance.</summary>
public static class WorkerId
{
    private const int Bytes = 8;

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Whether it has the form of an id: what strangers write into paths and bodies may be anything.</summary>
    public static bool IsValid([NotNullWhen(true)] string? text) => text is { Length: 2 * Bytes } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The id, to make a name of: in a blob's, <c>..</c> would lead to another place.</summary>
    /// <exception cref="ArgumentException">It does not have the form of one.</exception>
    public static string Checked(string text) => IsValid(text) ? text : throw new ArgumentException("it is no id of a worker", nameof(text));
}
