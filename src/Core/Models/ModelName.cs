using System.Diagnostics.CodeAnalysis;

namespace OllamaMax.Models;

/// <summary>
/// A model's name as Ollama's: <c>host/namespace/name:tag</c>, with defaults for what is left out. Case is kept for display and
/// ignored in comparison. The rules are those of Ollama's <c>types/model/name.go</c>.
/// </summary>
public sealed partial record ModelName(string Host, string Namespace, string Name, string Tag)
{
    public const string DefaultHost = "registry.ollama.ai";
    public const string DefaultNamespace = "library";
    public const string DefaultTag = "latest";

    private const string CloudTag = "cloud";

    private const int LongestHost = 350;
    private const int LongestPart = 80;

    /// <summary>All four parts, nothing left out.</summary>
    public string FullName => $"{Host}/{Namespace}/{Name}:{Tag}";

    /// <summary>Where the manifest lies below <c>manifests/</c>: <c>host/namespace/name/tag</c>.</summary>
    public string ManifestPath => $"{Host}/{Namespace}/{Name}/{Tag}";

    /// <summary>It is how Ollama calls a model that runs at ollama.com alone, such as <c>gpt-oss:120b-cloud</c>; one that is here may be called so as well.</summary>
    public bool IsOfCloud => Same(Host, DefaultHost) && (Same(Tag, CloudTag) || Tag.EndsWith($"-{CloudTag}", StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc cref="IsOfCloud"/>
    public static bool IsNameOfCloud(string name) => TryParse(name, out ModelName? parsed, out _) && parsed.IsOfCloud;

    /// <exception cref="FormatException">It is no model name; the message says why.</exception>
    public static ModelName Parse(string text) =>
        TryParse(text, out ModelName? name, out string? error) ? name : throw new FormatException(error);

    /// <summary>Reads what a user wrote; a leading <c>http://</c> or <c>https://</c> of a host is dropped.</summary>
    /// <param name="text">Such as <c>demo</c>, <c>qwen3:4b</c> or <c>hf.co/owner/model:Q4_K_M</c>.</param>
    /// <param name="name">The name, when it is one.</param>
    /// <param name="error">For people, when it is none; by its first words Ollama's clients know it.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ModelName? name, [NotNullWhen(false)] out string? error)
    {
        name = null;
        if (string.IsNullOrEmpty(text))
        {
            error = "model name is empty";
            return false;
        }
        (string path, string tag) = SplitTag(WithoutScheme(text));
        string[] parts = path.Split('/');
        if (parts.Length > 3)
        {
            error = $"invalid model name '{Quote(text)}': it has more than the three parts host/namespace/name";
            return false;
        }
        ModelName candidate = new(
            parts.Length > 2 ? parts[0] : DefaultHost, parts.Length > 1 ? parts[^2] : DefaultNamespace, parts[^1], tag);
        error = candidate.FindError();
        name = error is null ? candidate : null;
        error = error is null ? null : $"invalid model name '{Quote(text)}': it {error}";
        return error is null;
    }

    /// <summary>The inverse of <see cref="ManifestPath"/>; false for a path that no name leads to.</summary>
    public static bool TryParseManifestPath(string path, [NotNullWhen(true)] out ModelName? name)
    {
        string[] parts = path.Split('/');
        name = parts.Length == 4 ? new ModelName(parts[0], parts[1], parts[2], parts[3]) : null;
        if (name?.FindError() is not null)
            name = null;
        return name is not null;
    }

    /// <summary>The short form that Ollama lists: defaults left out, but always with the tag: <c>demo:latest</c>.</summary>
    public override string ToString()
    {
        if (!Same(Host, DefaultHost))
            return FullName;
        return Same(Namespace, DefaultNamespace) ? $"{Name}:{Tag}" : $"{Namespace}/{Name}:{Tag}";
    }

    public bool Equals(ModelName? other) => other is not null
        && Same(Name, other.Name) && Same(Tag, other.Tag) && Same(Namespace, other.Namespace) && Same(Host, other.Host);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(FullName);

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string WithoutScheme(string text)
    {
        int end = text.IndexOf("://", StringComparison.Ordinal);
        return end >= 0 && text[..end] is "http" or "https" ? text[(end + 3)..] : text;
    }

    /// <summary>A colon behind the last slash begins the tag; one before it belongs to the host's port.</summary>
    private static (string Path, string Tag) SplitTag(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > text.LastIndexOf('/') ? (text[..colon], text[(colon + 1)..]) : (text, DefaultTag);
    }

    private string? FindError() =>
        FindError("host", Host, LongestHost, ".:")
        ?? FindError("namespace", Namespace, LongestPart, "")
        ?? FindError("name", Name, LongestPart, ".")
        ?? FindError("tag", Tag, LongestPart, ".");

    private static string? FindError(string kind, string part, int longest, string allowed)
    {
        if (part.Length == 0)
            return $"has an empty {kind}";
        if (part.Length > longest)
            return $"has a {kind} of more than {longest} characters";
        // The first character rules out "." and "..": no part can step out of its folder.
        if (!IsWordCharacter(part[0]))
            return $"has a {kind} that does not begin with a letter, a digit or '_'";
        foreach (char c in part)
        {
            if (!IsWordCharacter(c) && c != '-' && !allowed.Contains(c))
                return $"has a character in its {kind} that is not allowed there";
        }
        return null;
    }

    private static bool IsWordCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    /// <summary>What came from outside, fit for one line of a message.</summary>
    private static string Quote(string text)
    {
        string shown = text.Length <= 100 ? text : text[..100] + "…";
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }
}
