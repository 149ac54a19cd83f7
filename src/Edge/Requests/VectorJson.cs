using System.Text.Json;

namespace OllamaMax.Edge.Requests;

/// <summary>Vectors as arrays of numbers, as short as 32-bit floats can be told apart.</summary>
internal static class VectorJson
{
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<float> vector)
    {
        json.WriteStartArray();
        foreach (float number in vector)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
