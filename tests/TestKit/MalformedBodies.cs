using System.Text;

namespace OllamaMax.TestKit;

/// <summary>Bodies that no request of the APIs may have: wrong types, huge numbers, broken UTF-8, deep nesting, cut JSON, noise.</summary>
public static class MalformedBodies
{
    /// <summary>Values that no field takes; a few fields take some of them, hence the model that does not exist.</summary>
    private static readonly string[] Values =
    [
        "1e999", "-1e999", "99999999999999999999999999", "-7", "0.5", "true", "{}", "[]", "[[]]", "{\"a\":{\"b\":[1,2,{}]}}",
        "\"\\ud800\"", "\"\\udc00x\"", "\"\\u0000\"", "\"x\"", "{\"\\ud800\":1}", "\"" + new string('x', 5000) + "\"",
    ];

    private static readonly string[] Fields =
    [
        "model", "messages", "prompt", "stream", "options", "tools", "system", "raw", "think", "format", "keep_alive", "images",
        "suffix", "template", "context", "logprobs", "top_logprobs", "truncate", "shift", "name", "verbose",
        "input", "n", "stop", "seed", "max_tokens", "tool_choice", "response_format", "reasoning_effort", "stream_options", "logit_bias", "thinking", "output_config",
    ];

    private static readonly string[] Options =
        ["num_ctx", "num_predict", "temperature", "top_k", "top_p", "min_p", "repeat_penalty", "repeat_last_n", "seed", "stop", "mirostat", "use_mmap"];

    /// <summary>The next one; the same seed gives the same ones.</summary>
    public static byte[] Next(Random chance) => chance.Next(6) switch
    {
        0 => Deep(chance.Next(65, 50_000)),
        1 => Broken(chance),
        2 => Noise(chance),
        3 => Encoding.UTF8.GetBytes(Truncated(chance)),
        _ => Encoding.UTF8.GetBytes(WrongTypes(chance)),
    };

    private static byte[] Deep(int depth) =>
        Encoding.UTF8.GetBytes("{\"model\":\"nope\",\"messages\":" + new string('[', depth) + new string(']', depth) + "}");

    private static byte[] Broken(Random chance)
    {
        byte[] body = Encoding.UTF8.GetBytes(WrongTypes(chance));
        body[chance.Next(body.Length)] = (byte)chance.Next(0x80, 0x100);
        return body;
    }

    private static byte[] Noise(Random chance)
    {
        byte[] body = new byte[chance.Next(200)];
        chance.NextBytes(body);
        return body;
    }

    private static string Truncated(Random chance)
    {
        string body = WrongTypes(chance);
        return body[..chance.Next(body.Length)];
    }

    private static string WrongTypes(Random chance)
    {
        string option = $"\"{Pick(Options, chance)}\":{Pick(Values, chance)}";
        string fields = string.Join(',', Enumerable.Range(0, chance.Next(1, 4)).Select(_ => $"\"{Pick(Fields, chance)}\":{Pick(Values, chance)}"));
        return $$"""{"model":"nope","options":{{{option}}},{{fields}}}""";
    }

    private static string Pick(string[] from, Random chance) => from[chance.Next(from.Length)];
}
