// A customer of a carrier made with node-smpp: node client.js PORT; submits a short and a long text, prints what comes.
const smpp = require('smpp');
const session = smpp.connect({ url: `smpp://127.0.0.1:${process.argv[2]}` });
const say = (kind, value) => console.log(JSON.stringify({ kind, ...value }));
let wanted = 2;

session.on('error', (error) => { say('error', { text: String(error) }); process.exit(1); });
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  say('receipt', { id: pdu.receipted_message_id, text: String(pdu.short_message.message), from: pdu.source_addr });
  if (--wanted === 0) session.unbind(() => { session.close(); process.exit(0); });
});
session.on('connect', () => session.bind_transceiver({ system_id: 'acme', password: 'secret' }, (bound) => {
  say('bound', { status: bound.command_status, carrier: bound.system_id });
  const head = { source_addr: 'ACME', source_addr_ton: 5, destination_addr: '84901230000', registered_delivery: 1 };
  session.submit_sm({ ...head, short_message: 'Xin chào' }, (answer) =>
    say('answer', { status: answer.command_status, id: answer.message_id }));
  session.submit_sm({ ...head, short_message: '', message_payload: 'x'.repeat(400) }, (answer) =>
    say('answer', { status: answer.command_status, id: answer.message_id }));
  session.enquire_link({}, (answer) => say('alive', { status: answer.command_status }));
}));
