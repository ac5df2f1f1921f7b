/* Runs Kafka's tools one after the other in one JVM: a line of standard input is a class and
 * its words, with \1 between, then \2 and its input in Base64; the answer is \2 STATUS \3
 * OUTPUT \3 ERRORS \4 and a newline.
 *
 * usage: java -cp DIR/* RunTools.java */
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

public class RunTools {
    private static final class Ended extends RuntimeException {
    }

    /* Scala's println holds on to the stream that it finds first. */
    private static final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private static final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private static String answer;

    /* What a tool says after it has ended is of this program's making. */
    private static synchronized void end(int status) {
        System.out.flush();
        System.err.flush();
        if (answer == null) {
            answer = "\u0002" + status + "\u0003" + out + "\u0003" + err + "\u0004";
        }
    }

    private static void exit(int status, String message) {
        end(status);
        throw new Ended();
    }

    private static void run(String line) {
        String[] parts = line.split("\u0002", -1);
        String[] words = parts[0].split("\u0001", -1);
        System.setIn(new ByteArrayInputStream(Base64.getDecoder().decode(parts[1])));
        try {
            Class.forName(words[0]).getMethod("main", String[].class).invoke(null, (Object) Arrays.copyOfRange(words, 1, words.length));
            end(0);
        } catch (ReflectiveOperationException e) {
            end(1);
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        PrintStream answers = System.out;
        System.setOut(new PrintStream(out, true));
        System.setErr(new PrintStream(err, true));
        Exit.setExitProcedure(RunTools::exit);
        Exit.setHaltProcedure(RunTools::exit);
        for (String given = in.readLine(); given != null; given = in.readLine()) {
            String line = given;
            out.reset();
            err.reset();
            answer = null;
            Thread tool = new Thread(() -> run(line));
            tool.setDaemon(true);
            tool.start();
            tool.join(30_000);
            end(-1);
            answers.println(answer);
            answers.flush();
        }
    }
}
