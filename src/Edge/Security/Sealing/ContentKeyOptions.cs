using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Sealing;

/// <summary>Keys that content is encrypted with where it lies, from the configuration section <c>OllamaMax:ContentKeys</c>. All edges have the same.</summary>
public sealed class ContentKeyOptions
{
    public const string Section = "OllamaMax:ContentKeys";

    /// <summary>
    /// Each <c>id:key</c>, with commas between: the id up to 32 lower-case letters, digits and dashes, the key 32 bytes in base64. The first encrypts what is new (with
    /// <see cref="Dispatch.DispatchOptions.EncryptPayloads"/>), all decrypt. For a secret store (Key Vault) to fill in; null: there are none.
    /// </summary>
    public string? Keys { get; set; }

    internal IEnumerable<string> Texts => (Keys ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Puts one behind those that are there.</summary>
    /// <param name="key"><c>id:key</c>.</param>
    public void Add(string key) => Keys = string.Join(',', Texts.Append(key));

    /// <summary>Once they are known to be good (<see cref="ContentKeyOptionsValidator"/>).</summary>
    internal IReadOnlyList<ContentKey> Parse() =>
        [.. Texts.Select(text => ContentKey.TryParse(text, out ContentKey? key) ? key : throw new InvalidOperationException("The content keys were not validated."))];
}
