using System.Text;
using System.Text.RegularExpressions;

namespace OllamaMax.Models.Gguf;

/// <summary>A GGUF's metadata and table of tensors, to be changed; its weights stay as they are.</summary>
internal sealed class GgufDraft(GgufLayout from)
{
    private const string ArchitectureKey = "general.architecture";

    private readonly List<KeyValuePair<string, ReadOnlyMemory<byte>>> _pairs = [.. from.Pairs.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))];

    /// <summary>Each with the place of its weights in the file that it is made of.</summary>
    private List<GgufTensor> _tensors = [.. from.Tensors];

    public string Architecture => Text(ArchitectureKey) ?? "";

    public bool Has(string key) => IndexOf(key) >= 0;

    public bool HasTensors(string prefix) => FirstTensor(name => name.StartsWith(prefix, StringComparison.Ordinal)) is not null;

    public bool HasTensorsThatEnd(string suffix) => FirstTensor(name => name.EndsWith(suffix, StringComparison.Ordinal)) is not null;

    public GgufTensor? FirstTensor(Predicate<string> isIt) => _tensors.Find(tensor => isIt(tensor.Name));

    public GgufTensor? Tensor(string name) => FirstTensor(one => one == name);

    public string? Text(string key) => Value(key) is { } value ? GgufValue.Text(value) : null;

    public long[] Integers(string key) => Value(key) is { } value ? GgufValue.Integers(value) : [];

    public IReadOnlyList<string> Texts(string key) => Value(key) is { } value ? GgufValue.Texts(value) : [];

    /// <param name="key">Its key.</param>
    /// <param name="value">As of <see cref="GgufValue.Of"/>.</param>
    public void Set(string key, object value)
    {
        KeyValuePair<string, ReadOnlyMemory<byte>> pair = new(key, GgufValue.Of(value));
        if (IndexOf(key) is >= 0 and var at)
            _pairs[at] = pair;
        else
            _pairs.Add(pair);
    }

    public void SetMissing(string key, object value)
    {
        if (!Has(key))
            Set(key, value);
    }

    public void Remove(Predicate<string> isLeftOut) => _pairs.RemoveAll(pair => isLeftOut(pair.Key));

    /// <summary>What has the new name already stays, and the other goes.</summary>
    public void Rename(string key, string name)
    {
        int at = IndexOf(key);
        if (at < 0)
            return;
        if (Has(name))
            _pairs.RemoveAt(at);
        else
            _pairs[at] = new(name, _pairs[at].Value);
    }

    /// <summary>Its name, and that in front of its own keys.</summary>
    public void RenameArchitecture(string name)
    {
        string prefix = $"{Architecture}.";
        foreach (string key in _pairs.Select(pair => pair.Key).Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
            Rename(key, $"{name}.{key[prefix.Length..]}");
        Set(ArchitectureKey, name);
    }

    /// <summary>An array without what stands behind its first entries.</summary>
    public void Cut(string key, int count)
    {
        if (IndexOf(key) is >= 0 and var at)
            _pairs[at] = new(key, GgufValue.Cut(_pairs[at].Value, count));
    }

    public void RenameTensors(Regex what, string by) =>
        _tensors = [.. _tensors.Select(tensor => what.IsMatch(tensor.Name) ? tensor with { RawName = Encoding.UTF8.GetBytes(what.Replace(tensor.Name, by, 1)) } : tensor)];

    public void DropTensors(string prefix) => _tensors.RemoveAll(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>A matrix without what stands behind its first rows.</summary>
    public void CutTensor(string name, ulong rows) =>
        _tensors = [.. _tensors.Select(tensor => tensor.Name == name ? tensor with { Dimensions = [tensor.Dimension(0), rows] } : tensor)];

    /// <param name="source">The file that it is made of.</param>
    /// <returns>As <see cref="GgufAssembly.Open"/>.</returns>
    /// <exception cref="GgufFormatException">As of it.</exception>
    public Stream Open(Stream source) => GgufAssembly.Open(
        from, [.. _pairs.Select(pair => (ReadOnlyMemory<byte>)GgufHeaderWriter.Pair(pair.Key, pair.Value))], _tensors.Select(tensor => (tensor, source, from.DataStart + tensor.Offset)));

    private int IndexOf(string key) => _pairs.FindIndex(pair => pair.Key == key);

    private ReadOnlyMemory<byte>? Value(string key) => IndexOf(key) is >= 0 and var at ? _pairs[at].Value : default(ReadOnlyMemory<byte>?);
}
