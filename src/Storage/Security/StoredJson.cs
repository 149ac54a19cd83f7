using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.Storage.Security;

/// <summary>Documents as they come out of storage.</summary>
internal static class StoredJson
{
    /// <param name="content">What lies there.</param>
    /// <param name="name">Of the blob, for people.</param>
    /// <param name="type">What it is to be.</param>
    /// <exception cref="InvalidDataException">It is damaged: another try finds the same.</exception>
    public static T Read<T>(BinaryData content, string name, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new InvalidDataException($"{name} is empty");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name} is damaged: {e.Message}", e);
        }
    }
}
