/* What convert.c does, with Kafka Connect's own converters.
 *
 * usage: java -cp DIR/* Convert.java */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.converters.*;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.storage.StringConverter;

public class Convert {
    private static final int JSON_CONVERTERS = 8;
    private static final String[] ENCODINGS = {"UTF-8", "ISO-8859-1", "US-ASCII", "UTF-16",
        "UTF-16LE", "windows-1252", "KOI8-R", "GB18030"};
    private static final List<Converter> converters = new ArrayList<>();

    private static void add(Converter converter, Map<String, ?> config) {
        converter.configure(config, false);
        converters.add(converter);
    }

    /** The header converter, as the last of the converters. */
    private static Converter headers() {
        SimpleHeaderConverter converter = new SimpleHeaderConverter();
        return new Converter() {
            public void configure(Map<String, ?> configs, boolean isKey) {
                converter.configure(configs);
            }

            public byte[] fromConnectData(String topic, Schema schema, Object value) {
                return converter.fromConnectHeader(topic, "h", schema, value);
            }

            public SchemaAndValue toConnectData(String topic, byte[] value) {
                return converter.toConnectHeader(topic, "h", value);
            }
        };
    }

    private static String fault(Exception e) {
        return ("!" + e.getMessage()).replace('\n', ' ').replace('\t', ' ');
    }

    private static String written(Converter converter, SchemaAndValue read) {
        try {
            byte[] bytes = converter.fromConnectData("t", read.schema(), read.value());
            return bytes == null ? "null" : HexFormat.of().formatHex(bytes);
        } catch (Exception e) {
            return fault(e);
        }
    }

    private static String converted(Converter reader, byte[] bytes) {
        SchemaAndValue read;
        try {
            read = reader.toConnectData("t", bytes);
        } catch (Exception e) {
            return fault(e);
        }
        List<String> all = new ArrayList<>();
        for (Converter converter : converters) {
            all.add(written(converter, read));
        }
        return String.join("\t", all);
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, false, "UTF-8");
        System.setOut(System.err);
        for (int i = 0; i < JSON_CONVERTERS; i++) {
            add(new JsonConverter(), Map.of("schemas.enable", (i & 1) != 0,
                "decimal.format", (i & 2) != 0 ? "NUMERIC" : "BASE64",
                "replace.null.with.default", (i & 4) != 0));
        }
        for (String encoding : ENCODINGS) {
            add(new StringConverter(), Map.of("converter.encoding", encoding));
        }
        add(new ByteArrayConverter(), Map.of());
        add(new ShortConverter(), Map.of());
        add(new IntegerConverter(), Map.of());
        add(new LongConverter(), Map.of());
        add(new FloatConverter(), Map.of());
        add(new DoubleConverter(), Map.of());
        add(new BooleanConverter(), Map.of());
        add(headers(), Map.of());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            byte[] bytes = line.endsWith("-") ? null : HexFormat.of().parseHex(line.substring(3));
            answers.print(converted(converters.get(Integer.parseInt(line.substring(0, 2), 16)), bytes) + "\n");
        }
        answers.flush();
    }
}
