using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Microsoft.DurableTask.Converters;

public class JsonDataConverter(JsonSerializerOptions? options = null) : DataConverter
{
    private static readonly JsonSerializerOptions DefaultOptions = new() { IncludeFields = true };

    private readonly JsonSerializerOptions _options = options ?? DefaultOptions;

    public static JsonDataConverter Default { get; } = new();

    [return: NotNullIfNotNull("value")]
    public override string? Serialize(object? value) => value is null ? null : JsonSerializer.Serialize(value, _options);

    [return: NotNullIfNotNull("data")]
    public override object? Deserialize(string? data, Type targetType) => data is null ? null : JsonSerializer.Deserialize(data, targetType, _options)!;
}
