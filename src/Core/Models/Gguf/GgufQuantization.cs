namespace OllamaMax.Models.Gguf;

/// <summary>A mix of smaller numbers that <see cref="GgufQuantizer"/> makes a model of. <c>_M</c> gives more bits than <c>_S</c> to the matrices that lose most.</summary>
public sealed class GgufQuantization
{
    private GgufQuantization(uint fileType, uint type) =>
        (FileType, Type, Name) = (fileType, type, GgufFileType.NameOf(fileType) ?? throw new ArgumentOutOfRangeException(nameof(fileType)));

    public static GgufQuantization F16 { get; } = new(1, GgmlType.F16);

    public static GgufQuantization Q4 { get; } = new(2, GgmlType.Q4);

    public static GgufQuantization Q8 { get; } = new(7, GgmlType.Q8);

    public static GgufQuantization Q4KSmall { get; } = new(14, GgmlType.Q4K);

    public static GgufQuantization Q4KMedium { get; } = new(15, GgmlType.Q4K);

    public static GgufQuantization Q5KSmall { get; } = new(16, GgmlType.Q5K);

    public static GgufQuantization Q5KMedium { get; } = new(17, GgmlType.Q5K);

    public static GgufQuantization Q6K { get; } = new(18, GgmlType.Q6K);

    public static IReadOnlyList<GgufQuantization> All { get; } = [F16, Q4, Q4KSmall, Q4KMedium, Q5KSmall, Q5KMedium, Q6K, Q8];

    /// <summary>Ollama's, such as <c>Q4_K_M</c>.</summary>
    public string Name { get; }

    /// <summary><c>general.file_type</c>.</summary>
    internal uint FileType { get; }

    /// <summary>What most matrices become: ggml's number.</summary>
    internal uint Type { get; }

    /// <summary>Null: there is none. <c>q4_K</c> and <c>q5_K</c> are their <c>_M</c>, as everywhere.</summary>
    public static GgufQuantization? Find(string name) => All.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || (known.Name.EndsWith("_M", StringComparison.Ordinal) && known.Name.AsSpan()[..^2].Equals(name, StringComparison.OrdinalIgnoreCase)));
}
