using System.Text.RegularExpressions;

namespace OllamaMax.Models.Gguf.Ollama;

/// <summary>
/// How Ollama's engine has the models of a family where llama.cpp has them otherwise. Keys that begin with a dot stand behind the architecture, llama.cpp's name of it.
/// </summary>
/// <param name="Architecture">As Ollama names it.</param>
internal sealed record OllamaFamily(string Architecture)
{
    /// <summary>llama.cpp's name; null: the same.</summary>
    public string? Becomes { get; init; }

    /// <summary>Keys that only Ollama's files have; they go. All that is said of what is dropped counts as well.</summary>
    public IReadOnlyList<string> OwnKeys { get; init; } = [];

    /// <summary>Keys that go too, and tell nothing.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>What else tells Ollama's files, and where the architecture gets another name all that does; null: nothing else does, or has to.</summary>
    public Predicate<GgufDraft>? IsOwn { get; init; }

    /// <summary>Beginnings of tensors' names that llama.cpp wants in a file of their own, or not at all: what sees, hears, or guesses ahead.</summary>
    public IReadOnlyList<string> Dropped { get; init; } = [];

    /// <summary>Keys, and llama.cpp's name of each.</summary>
    public IReadOnlyList<(string From, string To)> Keys { get; init; } = [];

    /// <summary>Values of keys that Ollama's files lack.</summary>
    public IReadOnlyList<(string Key, object Value)> Defaults { get; init; } = [];

    /// <summary>Values of keys that stand otherwise in Ollama's files.</summary>
    public IReadOnlyList<(string Key, object Value)> Values { get; init; } = [];

    /// <summary>Patterns in tensors' names, and what takes their place.</summary>
    public IReadOnlyList<(string Pattern, string By)> Tensors { get; init; } = [];

    /// <summary>What is computed, after all else; it is given the architecture.</summary>
    public Action<GgufDraft, string>? Rest { get; init; }

    public bool Has(GgufDraft file) =>
        file.Architecture == Architecture && (Becomes is null ? IsOwn?.Invoke(file) == true || HasOwnNames(file) : IsOwn?.Invoke(file) ?? true);

    public void Translate(GgufDraft file)
    {
        if (Becomes is not null)
            file.RenameArchitecture(Becomes);
        string architecture = file.Architecture;
        foreach (var (from, to) in Keys)
            file.Rename(Full(from), Full(to));
        HashSet<string> removed = [.. OwnKeys.Concat(Removed).Select(Full)];
        string[] senses = [$"{architecture}.vision.", $"{architecture}.audio."];
        file.Remove(key => removed.Contains(key) || Array.Exists(senses, sense => key.StartsWith(sense, StringComparison.Ordinal)));
        foreach (var (key, value) in Defaults)
            file.SetMissing(Full(key), value);
        foreach (var (key, value) in Values)
            file.Set(Full(key), value);
        foreach (string prefix in Dropped)
            file.DropTensors(prefix);
        foreach (var (pattern, by) in Tensors)
            file.RenameTensors(new Regex(pattern, RegexOptions.CultureInvariant), by);
        Rest?.Invoke(file, architecture);

        string Full(string key) => key.StartsWith('.') ? architecture + key : key;
    }

    private bool HasOwnNames(GgufDraft file) =>
        OwnKeys.Concat(Keys.Select(key => key.From)).Any(key => file.Has(key.StartsWith('.') ? Architecture + key : key)) || Dropped.Any(file.HasTensors);
}
