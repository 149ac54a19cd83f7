using System.Buffers.Binary;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// <c>context</c> of <c>/api/generate</c>: numbers that clients hand back without looking into them, so that the next prompt goes on from there. With Ollama they are tokens. Here they are the turns
/// themselves, which the template renders anew: three bytes of JSON in each, behind a mark and the length. It is no secret, and no more trusted than messages of a chat.
/// </summary>
internal static class ConversationContext
{
    private const int Mark = 0x4F4D58;
    private const int BytesEach = 3;

    /// <param name="turns">Of which role and content are kept: images would come back with each answer, six times as long.</param>
    public static int[] Encode(IEnumerable<ChatMessage> turns)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes([.. turns.Select(turn => new[] { turn.Role, turn.Content })], OllamaJson.Relaxed.StringArrayArray);
        int[] numbers = new int[2 + ((json.Length + BytesEach - 1) / BytesEach)];
        (numbers[0], numbers[1]) = (Mark, json.Length);
        Span<byte> four = stackalloc byte[4];
        for (int i = 2, at = 0; i < numbers.Length; i++, at += BytesEach)
        {
            four.Clear();
            json.AsSpan(at, Math.Min(BytesEach, json.Length - at)).CopyTo(four);
            numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(four);
        }
        return numbers;
    }

    /// <summary>Null for what was not made by <see cref="Encode"/>, such as another server's tokens.</summary>
    public static IReadOnlyList<ChatMessage>? Decode(ReadOnlySpan<int> numbers)
    {
        if (numbers.Length < 2 || numbers[0] != Mark || numbers[1] < 0 || (numbers[1] + BytesEach - 1L) / BytesEach != numbers.Length - 2)
            return null;
        byte[] json = new byte[(numbers.Length - 2) * BytesEach + 1];
        for (int i = 2; i < numbers.Length; i++)
        {
            if (numbers[i] is < 0 or > 0xFFFFFF)
                return null;
            BinaryPrimitives.WriteInt32LittleEndian(json.AsSpan((i - 2) * BytesEach), numbers[i]);
        }
        try
        {
            string[][]? turns = JsonSerializer.Deserialize(json.AsSpan(0, numbers[1]), OllamaJson.Relaxed.StringArrayArray);
            return turns is not null && Array.TrueForAll(turns, turn => turn is [("system" or "user" or "assistant"), not null])
                ? [.. turns.Select(turn => new ChatMessage(turn[0], turn[1]))]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
